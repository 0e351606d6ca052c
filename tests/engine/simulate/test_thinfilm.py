""""""

import numpy as np
import pytest
import tmm

from engine.simulate import thinfilm
from engine.simulate.thinfilm import angles, boron_nitride, silica, silicon

WAVELENGTH = np.linspace(450, 800, 8)


@pytest.mark.parametrize("incidence", [20.0, 50.0, 70.0])
@pytest.mark.parametrize("films", [[], [(silica, 285.0)], [(boron_nitride, 63.0), (silica, 285.0)]])
def test_delta_and_psi_equal_those_of_the_tmm_package(films, incidence):
    delta, psi = angles(films, wavelength=WAVELENGTH, incidence=incidence)
    thicknesses = [np.inf, *(thickness for _, thickness in films), np.inf]
    for i, nm in enumerate(WAVELENGTH):
        at = np.array([nm])
        indices = [1, *(complex(index(at)[0]) for index, _ in films), complex(silicon(at)[0]).conjugate()]
        expected = tmm.ellips(indices, thicknesses, np.deg2rad(incidence), nm)
        # tmm counts phases the other way round (n + ik) and from -r_p / r_s: its Delta is 180 deg - ours
        assert delta[i] == pytest.approx((180 - np.rad2deg(expected["Delta"])) % 360, abs=1e-8)
        assert psi[i] == pytest.approx(np.rad2deg(expected["psi"]), abs=1e-8)


def test_bare_silicon_equals_the_fresnel_equations_written_out_for_632_8_nm_and_70_deg():
    delta, psi = angles(
        [], wavelength=632.8, incidence=70.0, substrate=lambda nm: np.full(nm.shape, 3.882 - 0.019j)
    )
    index, inside, outside = 3.882 - 0.019j, 0.0, np.cos(np.deg2rad(70))
    inside = np.sqrt(1 - (np.sin(np.deg2rad(70)) / index) ** 2)
    parallel = (index * outside - inside) / (index * outside + inside)
    senkrecht = (outside - index * inside) / (outside + index * inside)
    rho = parallel / senkrecht
    assert psi == pytest.approx(np.rad2deg(np.arctan(abs(rho))))
    assert delta == pytest.approx(np.rad2deg(np.angle(rho)) % 360)
    # the values every ellipsometer is checked with
    assert psi == pytest.approx(10.5, abs=0.1)
    assert delta == pytest.approx(179.2, abs=0.1)


def test_a_nanometre_of_oxide_on_silicon_lowers_delta_by_three_degrees_at_70_deg():
    bare, _ = angles([], wavelength=632.8, incidence=70.0)
    oxidised, _ = angles([(silica, 1.0)], wavelength=632.8, incidence=70.0)
    assert bare - oxidised == pytest.approx(2.9, abs=0.2)


def test_a_transparent_substrate_has_psi_zero_at_its_brewster_angle_and_delta_jumping_from_180_to_0():
    def glass(nm):
        return np.full(nm.shape, 1.5 + 0j)

    brewster = np.rad2deg(np.arctan(1.5))
    delta, psi = angles(
        [], wavelength=600.0, incidence=[brewster - 1, brewster, brewster + 1], substrate=glass
    )
    assert psi[1] == pytest.approx(0, abs=1e-10)
    np.testing.assert_allclose(delta[[0, 2]], [180, 0], atol=1e-8)


def test_equal_films_are_one_film_and_no_thickness_is_no_film():
    two = angles([(silica, 100.0), (silica, 185.0)], wavelength=WAVELENGTH)
    np.testing.assert_allclose(two, angles([(silica, 285.0)], wavelength=WAVELENGTH))
    np.testing.assert_allclose(
        angles([(silica, 0.0)], wavelength=WAVELENGTH), angles([], wavelength=WAVELENGTH)
    )


def test_indices_equal_published_values():
    # Malitson 1965: n = 1.45846 at the sodium line; Aspnes and Studna 1983: 3.906 - 0.022i at 2.0 eV
    assert silica(np.array([589.3]))[0].real == pytest.approx(1.4584, abs=1e-4)
    assert silicon(np.array([619.9]))[0] == pytest.approx(3.906 - 0.022j)
    assert boron_nitride(np.array([632.8]))[0] == pytest.approx(2.121, abs=5e-4)


def test_the_substrate_of_the_real_sample_is_287_nm_of_oxide_on_silicon():
    # medians over the maps of the real hBN measurement at 600, 700 and 800 nm, 50 deg
    delta, psi = angles([(thinfilm.silica, 287.0)], wavelength=[600.0, 700.0, 800.0])
    np.testing.assert_allclose(delta, [150.7, 174.7, 193.5], atol=4.0)
    np.testing.assert_allclose(psi, [33.4, 31.2, 30.9], atol=0.7)

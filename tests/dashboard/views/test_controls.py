"""Which settings stand beside Run, and what they are called."""

import param

from dashboard.kit import label_of
from dashboard.views.controls import main_settings


class Settings(param.Parameterized):
    """Settings of no real analysis."""

    tile = param.Integer(3)
    rules = param.Boolean(True, precedence=2)
    n_clusters = param.Integer(4, label="classes", precedence=1)
    n_restarts = param.Integer(3, precedence=0.1)
    seed = param.Integer(0)


def test_settings_of_high_precedence_stand_beside_run_and_the_seed_after_the_first():
    names = ["tile", "rules", "n_clusters", "n_restarts", "seed"]
    assert main_settings(Settings(), names) == ["n_clusters", "seed", "rules"]
    assert main_settings(Settings(), ["tile", "rules"]) == ["rules"]


def test_a_setting_is_called_by_its_label_otherwise_by_its_name_in_words():
    settings = Settings()
    assert [label_of(settings.param[name]) for name in ("n_clusters", "n_restarts")] == [
        "classes",
        "restarts",
    ]

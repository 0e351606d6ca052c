"""The Particles page: micrographs, their nanoparticles, and the class of each."""

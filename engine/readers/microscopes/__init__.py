"""Readers of electron microscopes' formats: DM, SER, EMD, MRC, HyperSpy."""

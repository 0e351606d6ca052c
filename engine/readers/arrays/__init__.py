"""Readers of arrays: NumPy, MATLAB, HDF5, NetCDF and Zarr."""

"""Execution of work: jobs, the processes that do them, Dask."""

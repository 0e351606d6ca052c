"""Where and how work runs: jobs, the processes that do them, Dask, and the door for paths."""

"""The Maps page: stacks of maps, segmented."""

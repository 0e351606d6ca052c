"""The Mosaics page: frames of a detector, segmented, and their objects."""

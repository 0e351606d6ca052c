"""Stateless preparation of images, each step a function that notes itself in the images' recipe."""

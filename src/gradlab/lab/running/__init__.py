"""Doing what has no record yet: units of work, executors, progress, trackers."""

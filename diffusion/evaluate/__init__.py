"""Measuring: a judge, metrics, studies of a checkpoint, ablations, reports."""

"""Sweeps: a scenario at many points, many times each, never losing a finished run.

`read` a sweep file, `plan` its points, `run` them with `executors` into a `store`, and sum up.
"""

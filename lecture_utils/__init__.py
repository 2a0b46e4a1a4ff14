"""Helpers that the chapters import; import the modules you need, e.g. `from lecture_utils import checks`."""

"""Dailies on this machine: the real template, built and deployed by the real `sam`, to an emulated AWS."""

"""Dailies on this machine: `sam` builds the real template and deploys it to an emulated AWS."""

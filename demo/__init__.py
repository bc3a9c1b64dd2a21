"""Demonstrations: the demo and its scenarios, the console's pictures, one function in Lambda's own image."""

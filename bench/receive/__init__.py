"""A receiver's speed: warm, at its first call, and its verification alone, each compared in the same run."""

"""What runs inside the engine's own process: it uses the standard library and the engine, and nothing of this project.

The engine is made for tests: it forgets what it must not forget, and serves whoever asks. Both are mended here, by
replacing functions of the pinned version before it starts.
"""

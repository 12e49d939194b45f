"""Time stepping: how a state advances, knowing nothing of the equation beyond a small interface."""

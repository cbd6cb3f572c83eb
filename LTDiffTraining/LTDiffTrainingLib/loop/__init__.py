"""The training loop, on one process or many: progress, logs <- processes <- players <- trainer; `starting` runs it as a child, `plots` draws it."""

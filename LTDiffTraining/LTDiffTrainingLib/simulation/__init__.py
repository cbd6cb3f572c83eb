"""Simulated CT: chest phantoms, one noisy sinogram, two reconstruction kernels."""

"""Filters, protocols and the latent diffusion model. Imports volumes; torch and scipy are imported when first used."""

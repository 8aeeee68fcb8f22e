"""Moments: proposed by strategies, scored, freed of overlaps, given covers and reasons."""

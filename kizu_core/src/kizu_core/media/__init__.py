"""Pictures as files: what they are, their facts, decoding, derivatives, downloads."""

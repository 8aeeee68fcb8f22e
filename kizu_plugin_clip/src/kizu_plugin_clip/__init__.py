"""Search by meaning with OpenCLIP."""

"""Plugins for the conformance suites to judge: in each module a good one, and one that is wrong in each way."""

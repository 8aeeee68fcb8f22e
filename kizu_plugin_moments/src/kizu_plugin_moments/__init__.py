"""Moment strategies for Kizu: places, people, this day in other years, events."""

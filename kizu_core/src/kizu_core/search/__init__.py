"""What a search asks for: dates, places, people, things and words, read out of one line."""

"""Pictures as histograms of their colours: the smallest useful Kizu plugin."""

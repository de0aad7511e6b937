"""The doors: operators introduce a warehouse to a destination and step back."""

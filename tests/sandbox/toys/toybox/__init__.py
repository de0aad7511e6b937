"""A destination as small as can be: the sandbox must find it by its being there."""

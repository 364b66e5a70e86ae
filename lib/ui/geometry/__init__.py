"""The views of the Geometry page, one module each: controls, cached calls, figure, reading, details."""

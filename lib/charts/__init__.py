"""Result in, figure out: one module a page. Nothing is computed here that is not a matter of drawing."""

"""What tools/pxhv is made of, one concept a file. Python standard library only."""

"""The annotation canvas: the kernel's drawing, the pointer layer over it, tools, and how the picture is shown."""

"""moto's server as a process that ends with its parent: python moto_server.py PORT."""

import sys

from moto.server import main

from server import end_with_parent

if __name__ == "__main__":
    end_with_parent()
    main(["-H", "127.0.0.1", "-p", sys.argv[1]])

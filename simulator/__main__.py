"""``python -m simulator``: the growthsim command without an installed script."""

from simulator.cli import main

if __name__ == "__main__":
    main(prog_name="growthsim")

"""`python -m medprompt_cli` is `medprompt`."""

from medprompt_cli.cli.app import main

if __name__ == "__main__":
    main()

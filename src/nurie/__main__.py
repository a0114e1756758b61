from nurie.cli import main

if __name__ == "__main__":
    main()

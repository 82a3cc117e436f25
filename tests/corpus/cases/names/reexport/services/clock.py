from time import sleep as pause

# Each signal that would end a process ends a recording well; the others do not end it.
# kernels: 6.1 6.12
# slow: yes
setup insmod /tests/nt_calls.ko

# except for SIGKILL; the C library uses 32 and 33 itself
signals_end 1 2 3 4 5 6 7 8 10 11 12 14 15
signals_end 16 24 26 27 29 30 31 32 33 34 50 64
signals_pass "SIGPIPE, SIGCONT, SIGURG, SIGXFSZ and SIGWINCH" 13 18 23 25 28

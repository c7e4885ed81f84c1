# All functions for 20 s and more, under load on both CPUs.
# kernels: all
all_under_load 10
ok "unload" rmmod nestrace

# All functions are traced for more than 20 s, under load on both CPUs.
# slow: 6.1 debug-6.12
# kernels: all
all_under_load 10
ok "the module can be unloaded" rmmod nestrace

# How long it takes to arm and to disarm all functions, beside ftrace's own: boot -i, -p none.
insmod /tests/nestrace.ko
arming

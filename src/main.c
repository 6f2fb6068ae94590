/* main.c - wiring only: configuration, store, consumers, workers, HTTP. */
#include "base/base.h"

#include <stdio.h>

int main(void)
{
    puts("cairn " CAIRN_VERSION);
    return 0;
}

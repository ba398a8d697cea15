// libexpat: a streaming XML parser that resolves no entity from outside by itself.
#pragma once
#include <expat.h>

// hiredis: the protocol's reader and writer. Its connections are not used: in the release of Debian 12 (0.14) they look host
// names up synchronously and know no TLS.
#pragma once
#include <hiredis/hiredis.h>

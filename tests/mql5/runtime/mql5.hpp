// The runtime of a translated program.
#pragma once
#include "types.hpp"
#include "string.hpp"
#include "array.hpp"
#include "functions.hpp"
#include "indicator.hpp"
#include "import.hpp"
#include "program.hpp"
#include "market.hpp"
#include "trade.hpp"
#include "files.hpp"

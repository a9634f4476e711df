#include "terminal.hpp"
bool account_command(const std::vector<std::string> &) { return false; }
void trade_transaction(Program &,const Event &) {}

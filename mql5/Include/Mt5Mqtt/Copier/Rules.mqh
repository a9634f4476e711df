//+------------------------------------------------------------------+
//|                                                        Rules.mqh |
//|                              Copyright 2026, the mt5mqtt authors |
//+------------------------------------------------------------------+
#ifndef MT5MQTT_COPIER_RULES_MQH
#define MT5MQTT_COPIER_RULES_MQH
#include "State.mqh"
//--- of a position's comment, so that brokers keep it: mq:name:id
#define COPIER_NAME_LENGTH 12
//+------------------------------------------------------------------+
//| What a follower does at all                                      |
//+------------------------------------------------------------------+
enum ENUM_COPIER_MODE
  {
   COPIER_ON,                              // opens, changes and closes
   COPIER_CLOSE_ONLY,                      // opens nothing new
   COPIER_OFF                              // touches nothing
  };
//+------------------------------------------------------------------+
//| How a volume is reckoned                                         |
//+------------------------------------------------------------------+
enum ENUM_COPIER_SIZE
  {
   COPIER_SIZE_FIXED,                      // the value, in lots
   COPIER_SIZE_MULTIPLIER,                 // master's volume times the value
   COPIER_SIZE_BALANCE,                    // by the ratio of balances, times the value
   COPIER_SIZE_EQUITY,                     // by the ratio of equities, times the value
   COPIER_SIZE_FREE_MARGIN,                // by the ratio of free margins, times the value
   COPIER_SIZE_RISK                        // the value in percent of equity, lost at the stop
  };
//+------------------------------------------------------------------+
//| What happens to a volume below the symbol's minimum              |
//+------------------------------------------------------------------+
enum ENUM_COPIER_SMALL
  {
   COPIER_SMALL_SKIP,                      // is not opened
   COPIER_SMALL_MINIMUM,                   // becomes the minimum
   COPIER_SMALL_CARRY                      // is not opened, and added to the next one
  };
//+------------------------------------------------------------------+
//| What happens to positions that were there before the follower    |
//+------------------------------------------------------------------+
enum ENUM_COPIER_EXISTING
  {
   COPIER_EXISTING_SKIP,
   COPIER_EXISTING_NEAR,                   // opened if the price is still near
   COPIER_EXISTING_COPY
  };
//+------------------------------------------------------------------+
//| The rules of a follower for one master                           |
//+------------------------------------------------------------------+
struct CopierRules
  {
   bool              fifo;                 // hedging: of a symbol the oldest position is closed before all others
   bool              netting;              // one position per symbol: its volume is the sum of the copies
   ENUM_COPIER_MODE  mode;
   ENUM_COPIER_SIZE  size;
   double            size_value;
   ENUM_COPIER_SMALL small;
   double            volume_max;           // lots of one position, 0 = the symbol's maximum
   bool              reverse;              // buys become sells, SL becomes TP
   bool              copy_sl;
   bool              copy_tp;
   bool              pendings;             // pending orders are placed here too; else a position is copied when it is there
   ENUM_COPIER_EXISTING existing;
   double            near_points;          // for COPIER_EXISTING_NEAR
   long              max_age_ms;           // of an open, 0 = any; a close never expires
   double            max_spread;           // points; an open waits for less, 0 = any
   double            max_slippage;         // points worse than the master's price; an open waits for less, 0 = any
   double            min_equity;           // below it nothing is opened, 0 = any
   double            max_drawdown;         // percent below the highest equity: nothing is opened until resumed, 0 = any
   bool              guard_closes;         // what is held is closed, too
   bool              buys;
   bool              sells;
   string            allowed;              // symbols of the master, apart by commas; empty = all
   string            denied;               // likewise; empty = none
   string            magics;               // likewise; empty = all
   string            comment;              // must be part of the position's comment; empty = any
   string            map;                  // MASTER=FOLLOWER, apart by commas
   string            master_suffix;        // is taken off the master's symbol
   string            suffix;               // is added to the follower's
  };
//+------------------------------------------------------------------+
//| A symbol of the follower                                         |
//+------------------------------------------------------------------+
struct CopierSymbol
  {
   string            name;
   double            contract_size;
   double            point;
   double            tick_size;
   double            tick_value;           // of one lot
   double            volume_min;
   double            volume_max;
   double            volume_step;
   double            bid;
   double            ask;
   double            stops_level;          // points that a pending order is away from the price at least
   double            freeze_level;         // points within which none is changed
   bool              expires_day;          // COPIER_EXPIRY_DAY and so on are taken
   bool              expires_time;
   bool              expires_date;
   bool              never_expires;
   bool              is_uncertain;         // an open in it may be on its way
  };
//+------------------------------------------------------------------+
//| Class CCopierRules.                                              |
//| Appointment: what the rules say of one position. Nothing here    |
//|              asks the terminal: the same input gives the same    |
//|              answer.                                             |
//+------------------------------------------------------------------+
class CCopierRules
  {
public:
   static void       Defaults(CopierRules &rules);
   //--- what a user has given that can't be meant, "" if there is nothing
   static string     Mistake(const CopierRules &rules);
   //--- can a master have that name? It is part of the comments of copies
   static bool       IsName(const string name)        { return(name!="" && StringLen(name)<=COPIER_NAME_LENGTH && StringFind(name,":")<0); }
   //--- why a position is not copied, empty if it is
   static string     Refusal(const CopierRules &rules,const CopierPosition &position);
   //--- is that side of the master's copied?
   static bool       IsSide(const CopierRules &rules,const bool is_buy) { return(is_buy ? rules.buys : rules.sells); }
   //--- are the figures still missing from which it is reckoned? A terminal that has just started has none
   static bool       IsUnknown(const CopierRules &rules,const CopierFunds &master,const CopierFunds &own);
   //--- is one of the contract sizes missing? Where both sides have none, lots are lots
   static bool       IsContractUnknown(const CopierRules &rules,const CopierPosition &position,const CopierSymbol &symbol)
     { return(rules.size!=COPIER_SIZE_FIXED && rules.size!=COPIER_SIZE_RISK && (position.contract_size>0)!=(symbol.contract_size>0)); }
   //--- has the position no stop from which its volume is reckoned?
   static bool       IsStopMissing(const CopierRules &rules,const CopierPosition &position) { return(rules.size==COPIER_SIZE_RISK && Stop(rules,position)==0); }
   //--- from the price of a copy to its stop, negative if it is on the side that gains
   static double     Distance(const CopierRules &rules,const CopierPosition &position);
   //--- why a volume can't be reckoned, empty if it can
   static string     SizeRefusal(const CopierRules &rules,const CopierFunds &master,const CopierFunds &own);
   //--- the volume before it is made to fit; 0 if it can't be told
   static double     Exact(const CopierRules &rules,const CopierPosition &position,const CopierFunds &master,
                           const CopierFunds &own,const CopierSymbol &symbol);
   //--- the volume to open; carry is what smaller ones have left
   static double     Fit(const CopierRules &rules,const double exact,const CopierSymbol &symbol,double &carry);
   //--- down to the symbol's step
   static double     Down(const double volume,const CopierSymbol &symbol);
   static bool       Contains(const string list,const string value);

private:
   static double     Stop(const CopierRules &rules,const CopierPosition &position) { return(rules.reverse ? position.tp : position.sl); }
   static string     ListMistake(const string name,const string list);
   static bool       IsInteger(const string text);
   static double     Ratio(const double own,const double master);
  };
//+------------------------------------------------------------------+
//| The same volume, SL and TP; nothing that was there before        |
//+------------------------------------------------------------------+
void CCopierRules::Defaults(CopierRules &rules)
  {
   rules.fifo=false;
   rules.netting=false;
   rules.mode=COPIER_ON;
   rules.size=COPIER_SIZE_MULTIPLIER;
   rules.size_value=1;
   rules.small=COPIER_SMALL_SKIP;
   rules.volume_max=0;
   rules.reverse=false;
   rules.copy_sl=true;
   rules.copy_tp=true;
   rules.pendings=false;
   rules.existing=COPIER_EXISTING_SKIP;
   rules.near_points=0;
   rules.max_age_ms=0;
   rules.max_spread=0;
   rules.max_slippage=0;
   rules.min_equity=0;
   rules.max_drawdown=0;
   rules.guard_closes=false;
   rules.buys=true;
   rules.sells=true;
   rules.allowed="";
   rules.denied="";
   rules.magics="";
   rules.comment="";
   rules.map="";
   rules.master_suffix="";
   rules.suffix="";
  }
//+------------------------------------------------------------------+
//| A limit below 0 would be none, and an entry that isn't understood|
//| lets through what it was to keep away                            |
//+------------------------------------------------------------------+
string CCopierRules::Mistake(const CopierRules &rules)
  {
   string parts[];
   if(rules.size_value<=0)
      return("the volume's value must be above 0");
   if(rules.volume_max<0 || rules.near_points<0 || rules.max_age_ms<0 || rules.max_spread<0 || rules.max_slippage<0 || rules.min_equity<0)
      return("a limit must not be below 0; 0 is none");
   if(rules.max_drawdown<0 || rules.max_drawdown>=100)
      return("the drawdown must be from 0 to below 100 percent");
   string mistake=ListMistake("symbols to copy",rules.allowed)+ListMistake("symbols not to copy",rules.denied)+
                  ListMistake("magic numbers",rules.magics)+ListMistake("symbols' map",rules.map);
   if(mistake!="")
      return(mistake);
   int count=StringSplit(rules.magics,',',parts);
   for(int i=0; i<count; i++)
      if(!IsInteger(parts[i]))
         return("'"+parts[i]+"' is no magic number");
   count=StringSplit(rules.map,',',parts);
   for(int i=0; i<count; i++)
     {
      string sides[];
      string entry=parts[i];
      StringTrimLeft(entry);
      StringTrimRight(entry);
      int number=StringSplit(entry,'=',sides);
      if(entry!="" && (number!=2 || sides[0]=="" || sides[1]==""))
         return("'"+entry+"' is no entry of the symbols' map: MASTER=FOLLOWER");
     }
   return("");
  }
//+------------------------------------------------------------------+
//| Names have no semicolon                                          |
//+------------------------------------------------------------------+
string CCopierRules::ListMistake(const string name,const string list)
  {
   return(StringFind(list,";")<0 ? "" : "the list of "+name+" has a semicolon: its entries are apart by commas");
  }
//+------------------------------------------------------------------+
//| As it is compared; blanks around it, or nothing at all, are none |
//| of a list's entries                                              |
//+------------------------------------------------------------------+
bool CCopierRules::IsInteger(const string text)
  {
   string number=text;
   StringTrimLeft(number);
   StringTrimRight(number);
   return(number=="" || IntegerToString(StringToInteger(number))==number);
  }
//+------------------------------------------------------------------+
//| Is a value one of a list? Blanks around it don't count           |
//+------------------------------------------------------------------+
bool CCopierRules::Contains(const string list,const string value)
  {
   string parts[];
   int    count=StringSplit(list,',',parts);
   for(int i=0; i<count; i++)
     {
      string part=parts[i];
      StringTrimLeft(part);
      StringTrimRight(part);
      if(part==value)
         return(true);
     }
   return(false);
  }
//+------------------------------------------------------------------+
//| The filters                                                      |
//+------------------------------------------------------------------+
string CCopierRules::Refusal(const CopierRules &rules,const CopierPosition &position)
  {
   if(rules.mode!=COPIER_ON)
      return("nothing new is opened in this mode");
   if(rules.allowed!="" && !Contains(rules.allowed,position.symbol))
      return("the symbol is not among those to copy");
   if(Contains(rules.denied,position.symbol))
      return("the symbol is among those not to copy");
   if(rules.magics!="" && !Contains(rules.magics,IntegerToString(position.magic)))
      return("the magic number is not among those to copy");
   if(!IsSide(rules,position.is_buy))
      return("this side is not copied");
   if(rules.comment!="" && StringFind(position.comment,rules.comment)<0)
      return("the comment is not one to copy");
   return("");
  }
//+------------------------------------------------------------------+
//| 0 if it makes no sense                                           |
//+------------------------------------------------------------------+
double CCopierRules::Ratio(const double own,const double master)
  {
   return(own>0 && master>0 ? own/master : 0);
  }
//+------------------------------------------------------------------+
//| Neither balance nor equity                                       |
//+------------------------------------------------------------------+
bool CCopierRules::IsUnknown(const CopierRules &rules,const CopierFunds &master,const CopierFunds &own)
  {
   if(rules.size==COPIER_SIZE_FIXED || rules.size==COPIER_SIZE_MULTIPLIER)
      return(false);
   return((own.balance<=0 && own.equity<=0) || (rules.size!=COPIER_SIZE_RISK && master.balance<=0 && master.equity<=0));
  }
//+------------------------------------------------------------------+
//| 10,000 yen are no 10,000 dollars. An older master tells none     |
//+------------------------------------------------------------------+
string CCopierRules::SizeRefusal(const CopierRules &rules,const CopierFunds &master,const CopierFunds &own)
  {
   bool is_ratio=(rules.size==COPIER_SIZE_BALANCE || rules.size==COPIER_SIZE_EQUITY || rules.size==COPIER_SIZE_FREE_MARGIN);
   if(!is_ratio || master.currency=="" || own.currency=="" || master.currency==own.currency)
      return("");
   return("no volume by the ratio of an account in "+own.currency+" to one in "+master.currency);
  }
//+------------------------------------------------------------------+
//| The volume by the rule of size. What depends on the master's     |
//| volume is reckoned in units of the underlying, as a lot may be   |
//| of another size here                                             |
//+------------------------------------------------------------------+
double CCopierRules::Exact(const CopierRules &rules,const CopierPosition &position,const CopierFunds &master,
                           const CopierFunds &own,const CopierSymbol &symbol)
  {
   double lots=position.volume*rules.size_value;
   if(position.contract_size>0 && symbol.contract_size>0)
      lots*=position.contract_size/symbol.contract_size;
   switch(rules.size)
     {
      case COPIER_SIZE_FIXED:
         return(rules.size_value);
      case COPIER_SIZE_MULTIPLIER:
         return(lots);
      case COPIER_SIZE_BALANCE:
         return(lots*Ratio(own.balance,master.balance));
      case COPIER_SIZE_EQUITY:
         return(lots*Ratio(own.equity,master.equity));
      case COPIER_SIZE_FREE_MARGIN:
         return(lots*Ratio(own.free_margin,master.free_margin));
      case COPIER_SIZE_RISK:
         break;
     }
   if(Stop(rules,position)==0 || symbol.tick_size<=0)
      return(0);
   double loss=Distance(rules,position)/symbol.tick_size*symbol.tick_value;
   return(loss>0 ? own.equity*rules.size_value/100/loss : 0);
  }
//+------------------------------------------------------------------+
//| A buy loses below its price                                      |
//+------------------------------------------------------------------+
double CCopierRules::Distance(const CopierRules &rules,const CopierPosition &position)
  {
   double distance=position.price-Stop(rules,position);
   return(position.is_buy!=rules.reverse ? distance : -distance);
  }
//+------------------------------------------------------------------+
//| Never up: the risk was reckoned                                  |
//+------------------------------------------------------------------+
double CCopierRules::Down(const double volume,const CopierSymbol &symbol)
  {
   if(symbol.volume_step<=0)
      return(volume);
   return(NormalizeDouble(MathFloor(volume/symbol.volume_step+0.0000001)*symbol.volume_step,8));
  }
//+------------------------------------------------------------------+
//| A volume that the symbol takes, 0 if nothing is to be opened     |
//+------------------------------------------------------------------+
double CCopierRules::Fit(const CopierRules &rules,const double exact,const CopierSymbol &symbol,double &carry)
  {
   if(exact<=0)
      return(0);
   double wanted=exact+(rules.small==COPIER_SMALL_CARRY ? carry : 0);
   double most=(rules.volume_max>0 ? MathMin(rules.volume_max,symbol.volume_max) : symbol.volume_max);
   double volume=Down(MathMin(wanted,most),symbol);
   if(volume<symbol.volume_min)
      volume=(rules.small==COPIER_SMALL_MINIMUM && symbol.volume_min<=most ? symbol.volume_min : 0);
   if(rules.small==COPIER_SMALL_CARRY)
      carry=MathMax(0.0,MathMin(wanted,most)-volume);
   return(volume);
  }
#endif
//+------------------------------------------------------------------+

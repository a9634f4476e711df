//+------------------------------------------------------------------+
//|                                                     Retcodes.mqh |
//|                              Copyright 2026, the mt5mqtt authors |
//+------------------------------------------------------------------+
#ifndef MT5MQTT_COPIER_RETCODES_MQH
#define MT5MQTT_COPIER_RETCODES_MQH
//+------------------------------------------------------------------+
//| What a retcode asks for                                          |
//+------------------------------------------------------------------+
enum ENUM_COPIER_OUTCOME
  {
   COPIER_OUTCOME_DONE,                    // it is as wanted
   COPIER_OUTCOME_RETRY,                   // soon, at the price of then
   COPIER_OUTCOME_UNCERTAIN,               // nobody knows: look before anything is sent again
   COPIER_OUTCOME_OTHER_FILLING,           // once more with another filling
   COPIER_OUTCOME_NO_STOPS,                // an open: without stops, which are set later
   COPIER_OUTCOME_WAIT,                    // the market or the symbol doesn't trade: later
   COPIER_OUTCOME_REFUSED,                 // not as things stand: an open later, a close soon
   COPIER_OUTCOME_STOP                     // no repetition helps
  };
//+------------------------------------------------------------------+
//| Class CCopierRetcodes.                                           |
//| Appointment: what each retcode asks for.                         |
//+------------------------------------------------------------------+
class CCopierRetcodes
  {
public:
   static ENUM_COPIER_OUTCOME Outcome(const uint retcode);
   //--- the same of a request for a pending order
   static ENUM_COPIER_OUTCOME OfPending(const uint retcode,const bool is_placing);
   static bool       IsDone(const uint retcode)       { return(Outcome(retcode)==COPIER_OUTCOME_DONE); }
   //--- does it want the price of now?
   static bool       IsPrice(const uint retcode)      { return(retcode==TRADE_RETCODE_REQUOTE || retcode==TRADE_RETCODE_PRICE_CHANGED || retcode==TRADE_RETCODE_PRICE_OFF); }
  };
//+------------------------------------------------------------------+
//| What to do. PLACED, a timeout, a lost connection and whatever is |
//| unknown may mean anything: look first                            |
//+------------------------------------------------------------------+
ENUM_COPIER_OUTCOME CCopierRetcodes::Outcome(const uint retcode)
  {
   switch(retcode)
     {
      case TRADE_RETCODE_DONE:
      case TRADE_RETCODE_DONE_PARTIAL:
      case TRADE_RETCODE_NO_CHANGES:
      case TRADE_RETCODE_POSITION_CLOSED:
         return(COPIER_OUTCOME_DONE);
      case TRADE_RETCODE_REQUOTE:
      case TRADE_RETCODE_PRICE_CHANGED:
      case TRADE_RETCODE_PRICE_OFF:
      case TRADE_RETCODE_TOO_MANY_REQUESTS:
      case TRADE_RETCODE_FROZEN:
      case TRADE_RETCODE_LOCKED:
         return(COPIER_OUTCOME_RETRY);
      case TRADE_RETCODE_INVALID_FILL:
         return(COPIER_OUTCOME_OTHER_FILLING);
      case TRADE_RETCODE_INVALID_STOPS:
         return(COPIER_OUTCOME_NO_STOPS);
      case TRADE_RETCODE_MARKET_CLOSED:
      case TRADE_RETCODE_TRADE_DISABLED:
      case TRADE_RETCODE_SERVER_DISABLES_AT:
      case TRADE_RETCODE_CLIENT_DISABLES_AT:
         return(COPIER_OUTCOME_WAIT);
      case TRADE_RETCODE_REJECT:
      case TRADE_RETCODE_CANCEL:
      case TRADE_RETCODE_NO_MONEY:
      case TRADE_RETCODE_LIMIT_ORDERS:
      case TRADE_RETCODE_LIMIT_VOLUME:
      case TRADE_RETCODE_LIMIT_POSITIONS:
      case TRADE_RETCODE_LONG_ONLY:
      case TRADE_RETCODE_SHORT_ONLY:
      case TRADE_RETCODE_CLOSE_ONLY:
      case TRADE_RETCODE_FIFO_CLOSE:
      case TRADE_RETCODE_HEDGE_PROHIBITED:
         return(COPIER_OUTCOME_REFUSED);
      case TRADE_RETCODE_INVALID:
      case TRADE_RETCODE_INVALID_VOLUME:
      case TRADE_RETCODE_INVALID_PRICE:
      case TRADE_RETCODE_ONLY_REAL:
      case TRADE_RETCODE_INVALID_CLOSE_VOLUME:
         return(COPIER_OUTCOME_STOP);
     }
   return(COPIER_OUTCOME_UNCERTAIN);
  }
//+------------------------------------------------------------------+
//| What a pending order is answered otherwise: its price is compared|
//| with the market again before the next attempt, and PLACED is what|
//| was asked for                                                    |
//+------------------------------------------------------------------+
ENUM_COPIER_OUTCOME CCopierRetcodes::OfPending(const uint retcode,const bool is_placing)
  {
   switch(retcode)
     {
      case TRADE_RETCODE_PLACED:
         return(COPIER_OUTCOME_DONE);
      case TRADE_RETCODE_INVALID_PRICE:
      case TRADE_RETCODE_ORDER_CHANGED:
         return(COPIER_OUTCOME_RETRY);
      case TRADE_RETCODE_INVALID_EXPIRATION:
         return(COPIER_OUTCOME_STOP);
      case TRADE_RETCODE_INVALID_ORDER:
         //--- of one that is gone: the next look tells
         return(is_placing ? COPIER_OUTCOME_STOP : COPIER_OUTCOME_UNCERTAIN);
     }
   ENUM_COPIER_OUTCOME outcome=Outcome(retcode);
//--- it has no age that would end its attempts, and the market takes its place when the master's fills
   return(is_placing && outcome==COPIER_OUTCOME_REFUSED ? COPIER_OUTCOME_STOP : outcome);
  }
#endif
//+------------------------------------------------------------------+

//+------------------------------------------------------------------+
//|                                                       Origin.mqh |
//|                              Copyright 2026, the mt5mqtt authors |
//+------------------------------------------------------------------+
#ifndef MT5MQTT_COPIER_ORIGIN_MQH
#define MT5MQTT_COPIER_ORIGIN_MQH
//--- upper half of each copy's magic number, which brokers don't
//--- rewrite; the lower half tells the masters apart
#define COPIER_MAGIC 5067075
//--- more accounts than any chain of copiers needs
#define COPIER_MAX_VIA 16
//+------------------------------------------------------------------+
//| Class CCopierOrigin.                                             |
//| Appointment: through which accounts a position came, so that it  |
//|              never comes back to one of them: login@server, apart|
//|              by commas. Nothing here asks the terminal.          |
//+------------------------------------------------------------------+
class CCopierOrigin
  {
public:
   static string     Account(const long login,const string server);
   //--- accounts that differ in no more than the server's name
   static bool       IsSameLogin(const string account,const string other);
   static bool       Contains(const string via,const string account);
   //--- both lists, nothing twice
   static string     Join(const string via,const string more);
   static int        Count(const string via);
   //--- of the copies of one master
   static long       Magic(const string master);
   static bool       IsCopy(const long magic)         { return(magic/4294967296==COPIER_MAGIC); }
  };
//+------------------------------------------------------------------+
//| One account                                                      |
//+------------------------------------------------------------------+
string CCopierOrigin::Account(const long login,const string server)
  {
   string name=server;
   StringReplace(name,",","_");
   return(IntegerToString(login)+"@"+name);
  }
//+------------------------------------------------------------------+
//| Brokers rename their servers                                     |
//+------------------------------------------------------------------+
bool CCopierOrigin::IsSameLogin(const string account,const string other)
  {
   int length=StringFind(account,"@")+1;
   return(length>0 && StringSubstr(account,0,length)==StringSubstr(other,0,length));
  }
//+------------------------------------------------------------------+
//| Has it been there?                                               |
//+------------------------------------------------------------------+
bool CCopierOrigin::Contains(const string via,const string account)
  {
   return(StringFind(","+via+",",","+account+",")>=0);
  }
//+------------------------------------------------------------------+
//| All accounts of both                                             |
//+------------------------------------------------------------------+
string CCopierOrigin::Join(const string via,const string more)
  {
   string parts[];
   string joined=via;
   int    count=StringSplit(more,',',parts);
   for(int i=0; i<count; i++)
      if(parts[i]!="" && !Contains(joined,parts[i]))
         joined+=(joined=="" ? "" : ",")+parts[i];
   return(joined);
  }
//+------------------------------------------------------------------+
//| How many accounts                                                |
//+------------------------------------------------------------------+
int CCopierOrigin::Count(const string via)
  {
   string parts[];
   return(via=="" ? 0 : StringSplit(via,',',parts));
  }
//+------------------------------------------------------------------+
//| FNV-1a of the name                                               |
//+------------------------------------------------------------------+
long CCopierOrigin::Magic(const string master)
  {
   ulong hash=2166136261;
   for(int i=0; i<StringLen(master); i++)
      hash=((hash^(ulong)StringGetCharacter(master,i))*16777619)%4294967296;
   return((long)COPIER_MAGIC*4294967296+(long)hash);
  }
#endif
//+------------------------------------------------------------------+

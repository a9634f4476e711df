//+------------------------------------------------------------------+
//|                                                     Follower.mqh |
//|                              Copyright 2026, the mt5mqtt authors |
//+------------------------------------------------------------------+
#ifndef MT5MQTT_COPIER_FOLLOWER_MQH
#define MT5MQTT_COPIER_FOLLOWER_MQH
#include "Clock.mqh"
#include "Holdings.mqh"
//--- units of a comment that trade servers keep
#define COPIER_COMMENT_LENGTH 31
//--- after so many ms of requests the next look decides what goes on
#define COPIER_LOOK_MS 500
//--- how long what has come may be taken without a look, in ms
#define COPIER_TAKE_MS 2000
#define COPIER_NOT_CURRENT "the line to the Server was lost: nothing is opened until a state has come again"
//+------------------------------------------------------------------+
//| Class CCopierFollower.                                           |
//| Appointment: takes a master's state, compares it with what is    |
//|              held of it here, and executes the difference.       |
//|                                                                  |
//| Positions and orders that are no copies are never touched.       |
//+------------------------------------------------------------------+
class CCopierFollower : public CCopierHoldings
  {
private:
   ulong             m_deviation;
   bool              m_has_state;
   CCopierClock      m_clock;              // the master's
   string            m_unread;             // why a later state is of no use, empty = there is none
   bool              m_is_first;           // no state of this master was ever seen
   bool              m_told_pendings;      // that they aren't copied in netting
   ulong             m_received_us;        // when the state came, by GetMicrosecondCount()
   int               m_lock;               // a file that stays open: no other chart can open it

public:
                     CCopierFollower(void) : m_deviation(0),m_has_state(false),m_unread(""),m_is_first(true),m_told_pendings(false),m_received_us(0),m_lock(INVALID_HANDLE) { }
   bool              Start(const string root,const string master,const CopierRules &rules,const ulong deviation,const int wait_ms,const bool resume);
   void              Stop(const int reason);
   void              Take(void);
   void              Work(void);
   static string     Idle(void);

protected:
   virtual void      OnMessage(const CMqttMessage &message);

private:
   //--- by the master's clock, or this computer's, as long as he hasn't told it
   long              NowMsc(void) const { return(m_clock.IsKnown() ? m_clock.NowMsc() : CCopierAccount::NowMsc()); }
   bool              IsRenamed(const CopierState &state,const string account) const;
   string            CopyComment(const long id) const;
   bool              IsKept(const CopierAction &action,string &why) const;
   void              TellPendings(void);
   void              TellOlder(const CopierAction &action);
   void              Do(const CopierAction &action);
   bool              Save(void);
   void              ShowHoldings(void);
  };
//+------------------------------------------------------------------+
//| Reads the file and subscribes; Connect() follows                 |
//+------------------------------------------------------------------+
bool CCopierFollower::Start(const string root,const string master,const CopierRules &rules,const ulong deviation,const int wait_ms,const bool resume)
  {
   bool exists=false;
   m_rules=rules;
   m_deviation=deviation;
   m_has_state=false;
   m_unread="";
   m_clock.Forget();
   m_executor.SetWait(wait_ms);
   if(!CCopierRules::IsName(master))
      return(Tell(StringFormat("the master's name must have 1 to %d characters, and no colon",COPIER_NAME_LENGTH)));
   string file=CCopierStore::FileName(master);
   if(m_lock==INVALID_HANDLE)
      m_lock=FileOpen(file+".lock",FILE_WRITE|FILE_BIN);
   if(m_lock==INVALID_HANDLE)
      return(Tell("another chart has this follower, or the file "+file+".lock can't be opened: two would copy everything twice"));
   m_executor.SetMagic(CCopierOrigin::Magic(master));
   if(!m_store.Load(file,m_plan,exists))
      return(Tell("the file "+file+" "+m_store.m_problem+": without it copies could be made twice"));
   m_is_first=!exists;
   m_executor.ForgetAll();
   for(int i=0; i<m_store.Sent(); i++)
     {
      CopierUncertain sent;
      m_store.Sent(i,sent);
      m_executor.Restore(sent);
     }
   CopierGuard guard;
   m_plan.Guard(guard);
   Tell(CCopierGuards::Resume(resume,guard));
   m_plan.SetGuard(guard);
   ArrayResize(m_symbols,0);
   m_all_symbols=0;
   if(!StartPeer(root,master))
      return(Tell(ResultDescription()));
   return(true);
  }
//+------------------------------------------------------------------+
//| A wanted end: the copies stay                                    |
//+------------------------------------------------------------------+
void CCopierFollower::Stop(const int reason)
  {
   StopPeer(reason);
   if(reason==REASON_CHARTCHANGE || m_lock==INVALID_HANDLE)
      return;
   FileClose(m_lock);
   m_lock=INVALID_HANDLE;
  }
//+------------------------------------------------------------------+
//| All that has come: after a program that stood still the newest   |
//| state is behind all others                                       |
//+------------------------------------------------------------------+
void CCopierFollower::Take(void)
  {
   ulong until=GetTickCount64()+COPIER_TAKE_MS;
   while(Dispatch(100)==100 && GetTickCount64()<until && !IsStopped())
     { }
  }
//+------------------------------------------------------------------+
//| A state, unless it is older than one that was taken: a Server    |
//| that lost its memory may give an old one. Only the newest of     |
//| those that came together is worked on                            |
//+------------------------------------------------------------------+
void CCopierFollower::OnMessage(const CMqttMessage &message)
  {
   CopierState state;
   string      error="";
   if(IsPresence(message) || IsOfRival(message))
      return;
   if(!CCopierState::Read(message.PayloadText(),state,error))
     {
      m_unread=error+": copies stay as they are, and nothing new is opened";
      return;
     }
   if(state.server==AccountInfoString(ACCOUNT_SERVER) && state.login==AccountInfoInteger(ACCOUNT_LOGIN))
     {
      Tell("the master is this very account: nothing is copied");
      return;
     }
   string account=CCopierOrigin::Account(state.login,state.server);
   if(m_store.m_account!="" && m_store.m_account!=account)
     {
      if(!IsRenamed(state,account))
        {
         Tell("a state of the account "+account+" under the name of "+m_store.m_account+": it is not followed");
         return;
        }
      Print("copier: the master's server has another name, and the account what it had: ",account," is followed as ",m_store.m_account," was");
     }
   if(state.time_msc<m_store.m_state_msc || (state.time_msc==m_store.m_state_msc && state.sequence<m_store.m_state_sequence))
     {
      Tell("a state that is older than the last one was passed over");
      return;
     }
   bool is_newer=(state.time_msc!=m_store.m_state_msc || state.sequence!=m_store.m_state_sequence);
   m_store.m_state_msc=state.time_msc;
   m_store.m_state_sequence=state.sequence;
   m_store.m_account=account;
   m_unread="";
   Came(state.interval_ms);
   if(!message.IsRetained() || (is_newer && m_is_master_online))
      m_is_away=false;
   if(!message.IsRetained() && state.clock_msc>0)
      m_clock.Heard(state.clock_msc,(mt5mqtt_time_unix_us()-message.TimeMicroseconds())/1000);
   if(CCopierState::Without(state,CCopierAccount::Own())>0)
      Tell("a circle of copiers: what came from this very account isn't copied back to it");
   m_state=state;
   m_has_state=true;
   m_received_us=GetMicrosecondCount();
  }
//+------------------------------------------------------------------+
//| Is it the master's account, whose server has another name? Then  |
//| it still has something of what was seen last, if there was any   |
//+------------------------------------------------------------------+
bool CCopierFollower::IsRenamed(const CopierState &state,const string account) const
  {
   if(!CCopierOrigin::IsSameLogin(m_store.m_account,account))
      return(false);
   for(int i=0; i<m_plan.Links(); i++)
     {
      CopierLink link;
      m_plan.Link(i,link);
      if(CCopierState::Find(state,link.id)>=0 || CCopierState::FindOrder(state,link.id)>=0)
         return(true);
     }
   return(m_plan.Links()==0);
  }
//+------------------------------------------------------------------+
//| Why nothing can be traded here now, "" if it can                 |
//+------------------------------------------------------------------+
string CCopierFollower::Idle(void)
  {
   if(TerminalInfoInteger(TERMINAL_CONNECTED)==0)
      return("nothing is copied: the terminal isn't connected to its trade server");
   if(AccountInfoInteger(ACCOUNT_TRADE_ALLOWED)==0)
      return("nothing is copied: the account may not trade; log in with the master password, not with the investor's, or ask the broker");
   if(AccountInfoInteger(ACCOUNT_TRADE_EXPERT)==0)
      return("nothing is copied: the broker doesn't let programs trade in this account; ask the broker");
   if(TerminalInfoInteger(TERMINAL_TRADE_ALLOWED)==0)
      return("nothing is copied: Algo Trading is off; switch it on in the toolbar");
   if(MQLInfoInteger(MQL_TRADE_ALLOWED)==0)
      return("nothing is copied: Algo Trading is off for this program; allow it in the program's properties, Common");
   return("");
  }
//+------------------------------------------------------------------+
//| Looks, compares, executes                                        |
//+------------------------------------------------------------------+
void CCopierFollower::Work(void)
  {
   CopierFunds own;
   ShowHoldings();
   if(GivesWay())
      return;
   if(!m_has_state)
     {
      if(m_unread!="" || IsLate())
         Keep(m_unread!="" ? m_unread : "no state of a master "+m_master+" has come: is this its name, does it run, and has it the same first level of topics?");
      return;
     }
   if(m_rules.mode==COPIER_OFF)
     {
      Keep("the mode is off: nothing is touched");
      return;
     }
   string reason=Idle();
   if(reason!="")
     {
      if(TerminalInfoInteger(TERMINAL_CONNECTED)==0)
        {
         m_executor.Pause();
         //--- the broker may have renamed some
         m_all_symbols=0;
        }
      Keep(reason);
      return;
     }
   if(!IsOwn())
     {
      Keep("the terminal has changed to another account: nothing is copied in it until the program is started anew");
      return;
     }
//--- unknown before the terminal is connected
   m_rules.netting=!CCopierAccount::IsHedging();
   m_rules.fifo=(AccountInfoInteger(ACCOUNT_FIFO_CLOSE)!=0);
   TellPendings();
//--- another terminal with the same follower may have changed it by a newer state
   if(m_rules.netting && !m_is_current)
     {
      Keep(COPIER_NOT_CURRENT);
      return;
     }
//--- orders come first: one that fills meanwhile is in both
   if((!m_rules.netting && !ReadOrders()) || !ReadHeld())
      return;
   ReadSymbols();
   CCopierAccount::Funds(own);
   int count=m_plan.Make(m_state,m_rules,m_symbols,own,m_held,m_orders,NowMsc(),m_is_first);
   m_is_first=false;
//--- what was decided must be on disk before anything is sent, and what is about to be
   bool   is_due[];
   string kept="";
   ArrayResize(is_due,count);
   for(int i=0; i<count; i++)
     {
      CopierAction action;
      m_plan.Action(i,action);
      is_due[i]=(CCopierExecutor::IsNew(action) && m_executor.IsDue(action,HeldVolume(action)) && !IsKept(action,kept));
      if(is_due[i])
         m_executor.Expect(action,HeldVolume(action));
     }
   bool is_saved=Save();
   ulong until=GetTickCount64()+COPIER_LOOK_MS;
   for(int i=0; i<count; i++)
     {
      CopierAction action;
      m_plan.Action(i,action);
      bool is_new=CCopierExecutor::IsNew(action);
      //--- a slow trade server: by now the master may want something else
      if((is_new && !is_saved) || IsStopped() || GetTickCount64()>=until)
        {
         if(is_due[i])
            m_executor.Forget(action);
        }
      else
         if(is_new ? is_due[i] : (m_executor.IsDue(action,HeldVolume(action)) && !IsKept(action,kept)))
            Do(action);
     }
   if(!is_saved)
     {
      Keep("the file can't be written: nothing is opened");
      return;
     }
//--- one of them: two in turn would be told anew at each look
   if(m_unread!="")
      kept=m_unread;
   if(kept=="" && IsLate() && !m_is_away)
      kept="no state has come for so long that the master's program, or its terminal's connection to the trade server, must stand still: look there";
   if(kept=="")
      kept=m_plan.Held();
   Keep(kept!="" ? kept : Foreign());
   ReportRefused(m_plan,m_state.sequence,m_received_us);
  }
//+------------------------------------------------------------------+
//| In netting an order would meet the position of its symbol: close |
//| it, or turn it. What it fills is copied as the master's position |
//+------------------------------------------------------------------+
void CCopierFollower::TellPendings(void)
  {
   if(m_told_pendings || !m_rules.pendings || (!m_rules.netting && !m_state.is_netting))
      return;
   Print("copier: ",m_rules.netting ? "this" : "the master's"," account is a netting one: its pending orders are not copied, but what they fill is");
   m_told_pendings=true;
  }
//+------------------------------------------------------------------+
//| Nobody but the user can say whether the older position is to be  |
//| closed: it may be his own, or the copy of what the master holds  |
//+------------------------------------------------------------------+
void CCopierFollower::TellOlder(const CopierAction &action)
  {
   ulong older=CCopierAccount::Oldest(action.symbol);
   if(older==action.ticket)
      return;
   Tell(StringFormat("the master has closed or reduced what the copy %I64u of %s is of, but this account closes the oldest position of a symbol first (FIFO), which is %I64u: close that one yourself, or the copy stays until it is closed",
                     action.ticket,action.symbol,older));
  }
//+------------------------------------------------------------------+
//| A number that is cut would be another one: then there is none    |
//+------------------------------------------------------------------+
string CCopierFollower::CopyComment(const long id) const
  {
   string comment="mq:"+m_master+":"+IntegerToString(id);
   return(StringLen(comment)<=COPIER_COMMENT_LENGTH ? comment : "mq:"+m_master);
  }
//+------------------------------------------------------------------+
//| Is it not sent yet? A close needn't wait for the rest of an open,|
//| which is closed when it fills                                    |
//+------------------------------------------------------------------+
bool CCopierFollower::IsKept(const CopierAction &action,string &why) const
  {
   if(CCopierExecutor::IsNew(action) && m_unread!="")
      return(true);
   if(CCopierExecutor::IsNew(action) && !m_is_current)
     {
      why=COPIER_NOT_CURRENT;
      return(true);
     }
   if(CCopierExecutor::IsNew(action) && m_is_away)
     {
      why="the master is away: what is new in its last state isn't opened until it is back";
      return(true);
     }
   if(action.action!=COPIER_ACTION_OPEN && action.action!=COPIER_ACTION_CLOSE)
      return(false);
   bool  is_buy=(action.is_buy==(action.action==COPIER_ACTION_OPEN));
   ulong order=CCopierOrders::UnderWay(action.symbol,m_executor.Magic(),is_buy);
   if(order==0)
      return(false);
   why="waiting until the market order "+IntegerToString((long)order)+" of "+action.symbol+" is done";
   return(true);
  }
//+------------------------------------------------------------------+
//| One action                                                       |
//+------------------------------------------------------------------+
void CCopierFollower::Do(const CopierAction &action)
  {
   m_executor.Execute(action,HeldVolume(action),CopyComment(action.id),m_deviation);
   if(action.action==COPIER_ACTION_OPEN)
     {
      if(m_executor.m_outcome==COPIER_OUTCOME_DONE)
        {
         //--- an opening order's ticket becomes the position's identifier; in netting the deal will tell
         if(action.id!=COPIER_NET)
            m_store.AddCopy((long)m_executor.m_order,action.id);
         m_plan.Opened(action,m_executor.Filled(action));
        }
      if((m_executor.m_outcome==COPIER_OUTCOME_STOP || m_executor.m_outcome==COPIER_OUTCOME_REFUSED) && action.id!=COPIER_NET)
         m_plan.Refuse(action.id,CMqttTrade::Text(m_executor.m_retcode),m_executor.m_outcome==COPIER_OUTCOME_STOP);
     }
   if(action.action==COPIER_ACTION_PLACE)
     {
      if(m_executor.m_outcome==COPIER_OUTCOME_DONE)
        {
         m_store.AddOrder(m_executor.m_order,action.id);
         m_plan.Opened(action,action.volume);
        }
      if(m_executor.m_outcome==COPIER_OUTCOME_STOP)
         m_plan.Unplaced(action.id,0);
     }
   if(action.action==COPIER_ACTION_CLOSE && m_executor.m_retcode==TRADE_RETCODE_FIFO_CLOSE)
      TellOlder(action);
   if(action.id==COPIER_NET && m_executor.m_outcome==COPIER_OUTCOME_DONE && m_executor.m_deal!=0)
      m_store.Await(m_executor.m_deal);
   Save();
   Report(action,m_executor.m_quote,m_state.sequence,m_received_us);
  }
//+------------------------------------------------------------------+
//| What was decided, and what may be on its way                     |
//+------------------------------------------------------------------+
bool CCopierFollower::Save(void)
  {
   m_store.ClearSent();
   for(int i=0; i<m_executor.Expected(); i++)
     {
      CopierUncertain sent;
      m_executor.Expected(i,sent);
      m_store.AddSent(sent);
     }
   return(m_store.Save(m_plan));
  }
//+------------------------------------------------------------------+
//| The panel                                                        |
//+------------------------------------------------------------------+
void CCopierFollower::ShowHoldings(void)
  {
   if(!m_panel.IsDue())
      return;
   string text="State: none yet";
   if(m_has_state)
      text=StringFormat("State: %I64d, %I64d s ago\nMaster has %d positions, held here %d\nHe has %d pending orders, placed here %d",m_state.sequence,
                        (long)((GetMicrosecondCount()-m_received_us)/1000000),ArraySize(m_state.positions),ArraySize(m_held),
                        ArraySize(m_state.orders),ArraySize(m_orders));
   Show(text);
  }
#endif
//+------------------------------------------------------------------+

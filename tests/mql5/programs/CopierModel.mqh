//+------------------------------------------------------------------+
//|                                                  CopierModel.mqh |
//|                              Copyright 2026, the mt5mqtt authors |
//+------------------------------------------------------------------+
//--- A master and a follower at random, as lists: no trade server.
#ifndef MT5MQTT_TEST_COPIER_MODEL_MQH
#define MT5MQTT_TEST_COPIER_MODEL_MQH
#include <Mt5Mqtt\Copier\Plan.mqh>
#include <Mt5Mqtt\Internal\Check.mqh>
//+------------------------------------------------------------------+
//| What the test knows of a position or an order of the master      |
//+------------------------------------------------------------------+
struct Known
  {
   long              id;
   bool              is_touched;           // by the follower's user, or expired there
   double            decided;              // volume when the follower first saw it, 0 = not yet
   bool              is_open;              // is to be copied
   double            most;                 // lots at the follower at any time
  };
//+------------------------------------------------------------------+
//| What both have, and what happens to it                           |
//+------------------------------------------------------------------+
class CModel
  {
protected:
   string            m_fault;
   CopierState       m_state;
   CopierSymbol      m_symbols[];
   CopierHeld        m_held[];
   CopierHeldOrder   m_orders[];
   Known             m_known[];
   CCopierPlan      *m_plan;
   ulong             m_ticket;
   long              m_id;

public:
                     CModel(void) : m_fault(""),m_ticket(1000),m_id(1) { m_plan=new CCopierPlan; }
                    ~CModel(void) { delete m_plan; }

protected:
   int               Random(const int below) { return((MathRand()*32768+MathRand())%below); }
   bool              Chance(const int percent) { return(Random(100)<percent); }
   double            Part(const double volume,const double step);
   void              Symbol(const string name,const double volume_min,const double volume_step);
   int               SymbolOf(const string name) const;
   void              Know(void);
   int               FindKnown(const long id) const;
   void              MasterPlaces(void);
   void              MasterOpens(void);
   void              MasterFills(const int order);
   void              MasterMoves(void);
   void              FollowerFills(void);
   void              FollowerLoses(void);
   void              Restart(void);
   void              Execute(const CopierAction &action,const bool is_answered);
   void              Fault(const string text) { if(m_fault=="") m_fault=text; }
  };
//+------------------------------------------------------------------+
//| A symbol of the follower                                         |
//+------------------------------------------------------------------+
void CModel::Symbol(const string name,const double volume_min,const double volume_step)
  {
   int i=ArraySize(m_symbols);
   ArrayResize(m_symbols,i+1);
   m_symbols[i].name=name;
   m_symbols[i].contract_size=100;
   m_symbols[i].point=0.01;
   m_symbols[i].tick_size=0.01;
   m_symbols[i].tick_value=1;
   m_symbols[i].volume_min=volume_min;
   m_symbols[i].volume_max=2;
   m_symbols[i].volume_step=volume_step;
   m_symbols[i].bid=100;
   m_symbols[i].ask=100.02;
   m_symbols[i].stops_level=(Chance(50) ? 0 : 20);
   m_symbols[i].freeze_level=0;
   m_symbols[i].expires_day=Chance(50);
   m_symbols[i].expires_time=Chance(50);
   m_symbols[i].expires_date=Chance(50);
   m_symbols[i].never_expires=true;
   m_symbols[i].is_uncertain=false;
  }
//+------------------------------------------------------------------+
//| By name                                                          |
//+------------------------------------------------------------------+
int CModel::SymbolOf(const string name) const
  {
   return(name=="EURUSD" ? 0 : 1);
  }
//+------------------------------------------------------------------+
//| Some steps of a volume, or all                                   |
//+------------------------------------------------------------------+
double CModel::Part(const double volume,const double step)
  {
   int steps=(int)MathRound(volume/step);
   return(Chance(50) ? volume : NormalizeDouble(step*(1+Random(steps)),8));
  }
//+------------------------------------------------------------------+
//| A new identifier                                                 |
//+------------------------------------------------------------------+
void CModel::Know(void)
  {
   int known=ArraySize(m_known);
   ArrayResize(m_known,known+1);
   m_known[known].id=m_id;
   m_known[known].is_touched=false;
   m_known[known].decided=0;
   m_known[known].is_open=false;
   m_known[known].most=0;
   m_id++;
  }
//+------------------------------------------------------------------+
//| By identifier                                                    |
//+------------------------------------------------------------------+
int CModel::FindKnown(const long id) const
  {
   int i=0;
   while(m_known[i].id!=id)
      i++;
   return(i);
  }
//+------------------------------------------------------------------+
//| A pending order of any kind                                      |
//+------------------------------------------------------------------+
void CModel::MasterPlaces(void)
  {
   int i=ArraySize(m_state.orders);
   ArrayResize(m_state.orders,i+1);
   m_state.orders[i].id=m_id;
   m_state.orders[i].symbol=(Chance(50) ? "EURUSD" : "US500");
   m_state.orders[i].is_buy=Chance(50);
   m_state.orders[i].kind=(ENUM_COPIER_KIND)Random(3);
   m_state.orders[i].volume=NormalizeDouble(0.01*(1+Random(100)),8);
   bool is_below=(m_state.orders[i].is_buy==(m_state.orders[i].kind==COPIER_KIND_LIMIT));
   double away=NormalizeDouble(0.01*(1+Random(100)),8);
   m_state.orders[i].price=NormalizeDouble(is_below ? 100-away : 100.02+away,8);
   m_state.orders[i].limit_price=(m_state.orders[i].kind==COPIER_KIND_STOP_LIMIT ? 100.01 : 0);
   m_state.orders[i].sl=(Chance(50) ? 90+Random(500)*0.01 : 0);
   m_state.orders[i].tp=(Chance(50) ? 105+Random(500)*0.01 : 0);
   m_state.orders[i].expiry=(ENUM_COPIER_EXPIRY)Random(4);
   m_state.orders[i].expires_msc=(m_state.orders[i].expiry>=COPIER_EXPIRY_TIME ? 1700000000000+60000*Random(100) : 0);
   m_state.orders[i].magic=0;
   m_state.orders[i].comment="";
   m_state.orders[i].contract_size=100;
   m_state.orders[i].via="";
   Know();
  }
//+------------------------------------------------------------------+
//| At the market                                                    |
//+------------------------------------------------------------------+
void CModel::MasterOpens(void)
  {
   int order=ArraySize(m_state.orders);
   MasterPlaces();
   int i=ArraySize(m_state.positions);
   ArrayResize(m_state.positions,i+1);
   CCopierPending::AsPosition(m_state.orders[order],m_state.positions[i]);
   ArrayRemove(m_state.orders,order,1);
  }
//+------------------------------------------------------------------+
//| In part or whole                                                 |
//+------------------------------------------------------------------+
void CModel::MasterFills(const int order)
  {
   int i=CCopierState::Find(m_state,m_state.orders[order].id);
   if(i<0)
     {
      i=ArraySize(m_state.positions);
      ArrayResize(m_state.positions,i+1);
      CCopierPending::AsPosition(m_state.orders[order],m_state.positions[i]);
      m_state.positions[i].volume=0;
     }
   double part=Part(m_state.orders[order].volume,0.01);
   m_state.positions[i].volume=NormalizeDouble(m_state.positions[i].volume+part,8);
   m_state.orders[order].volume=NormalizeDouble(m_state.orders[order].volume-part,8);
   if(m_state.orders[order].volume<0.000001)
      ArrayRemove(m_state.orders,order,1);
  }
//+------------------------------------------------------------------+
//| The master does something                                        |
//+------------------------------------------------------------------+
void CModel::MasterMoves(void)
  {
   int orders=ArraySize(m_state.orders);
   int positions=ArraySize(m_state.positions);
   if(orders==0 || Chance(30))
     {
      MasterPlaces();
      return;
     }
   int order=Random(orders);
   switch(Random(7))
     {
      case 0:
         ArrayRemove(m_state.orders,order,1);
         break;
      case 1:
      case 2:
         MasterFills(order);
         break;
      case 3:
         m_state.orders[order].price=NormalizeDouble(m_state.orders[order].price+0.01*(Random(61)-30),8);
         break;
      case 4:
         m_state.orders[order].sl=(Chance(70) ? 90+Random(500)*0.01 : 0);
         //--- the stop of a stop limit is reached
         if(m_state.orders[order].kind==COPIER_KIND_STOP_LIMIT)
           {
            m_state.orders[order].kind=COPIER_KIND_LIMIT;
            m_state.orders[order].price=m_state.orders[order].limit_price;
            m_state.orders[order].limit_price=0;
           }
         break;
      case 5:
         if(positions>0)
            ArrayRemove(m_state.positions,Random(positions),1);
         else
            MasterOpens();
         break;
      case 6:
         if(positions>0)
           {
            int position=Random(positions);
            double part=Part(m_state.positions[position].volume,0.01);
            if(part<m_state.positions[position].volume)
               m_state.positions[position].volume=NormalizeDouble(m_state.positions[position].volume-part,8);
           }
         break;
     }
  }
//+------------------------------------------------------------------+
//| An order of the follower fills, in part or whole                 |
//+------------------------------------------------------------------+
void CModel::FollowerFills(void)
  {
   int count=ArraySize(m_orders);
   if(count==0)
      return;
   int order=Random(count);
   int i=0;
   while(i<ArraySize(m_held) && m_held[i].ticket!=m_orders[order].ticket)
      i++;
   if(i==ArraySize(m_held))
     {
      ArrayResize(m_held,i+1);
      m_held[i].ticket=m_orders[order].ticket;
      m_held[i].id=m_orders[order].id;
      m_held[i].symbol=m_orders[order].symbol;
      m_held[i].is_buy=m_orders[order].is_buy;
      m_held[i].volume=0;
      m_held[i].sl=m_orders[order].sl;
      m_held[i].tp=m_orders[order].tp;
      m_held[i].is_settling=false;
     }
   double part=Part(m_orders[order].volume,0.01);
   m_held[i].volume=NormalizeDouble(m_held[i].volume+part,8);
   m_orders[order].volume=NormalizeDouble(m_orders[order].volume-part,8);
   if(m_orders[order].volume<0.000001)
      ArrayRemove(m_orders,order,1);
  }
//+------------------------------------------------------------------+
//| By hand, by a stop or by its time                                |
//+------------------------------------------------------------------+
void CModel::FollowerLoses(void)
  {
   int orders=ArraySize(m_orders);
   int held=ArraySize(m_held);
   if(held>0 && Chance(50))
     {
      int i=Random(held);
      m_known[FindKnown(m_held[i].id)].is_touched=true;
      m_held[i].volume=NormalizeDouble(m_held[i].volume-Part(m_held[i].volume,0.01),8);
      if(m_held[i].volume<0.000001)
         ArrayRemove(m_held,i,1);
      return;
     }
   if(orders==0)
      return;
   int order=Random(orders);
   m_known[FindKnown(m_orders[order].id)].is_touched=true;
   if(Chance(50))
      m_plan.Unplaced(m_orders[order].id,m_orders[order].volume);
   ArrayRemove(m_orders,order,1);
  }
//+------------------------------------------------------------------+
//| A new program with the links of the old one                      |
//+------------------------------------------------------------------+
void CModel::Restart(void)
  {
   CCopierPlan *plan=new CCopierPlan;
   for(int i=0; i<m_plan.Links(); i++)
     {
      CopierLink link;
      m_plan.Link(i,link);
      plan.AddLink(link);
     }
   delete m_plan;
   m_plan=plan;
  }
//+------------------------------------------------------------------+
//| Carries an action out, if there still is what it is meant for    |
//+------------------------------------------------------------------+
void CModel::Execute(const CopierAction &action,const bool is_answered)
  {
   int held=0;
   int order=0;
   while(held<ArraySize(m_held) && m_held[held].ticket!=action.ticket)
      held++;
   while(order<ArraySize(m_orders) && m_orders[order].ticket!=action.ticket)
      order++;
   bool is_held=(held<ArraySize(m_held));
   bool is_order=(order<ArraySize(m_orders));
   switch(action.action)
     {
      case COPIER_ACTION_CLOSE:
         if(!is_held || action.volume>m_held[held].volume+0.000001)
            break;
         m_held[held].volume=NormalizeDouble(m_held[held].volume-action.volume,8);
         if(m_held[held].volume<0.000001)
            ArrayRemove(m_held,held,1);
         return;
      case COPIER_ACTION_STOPS:
         if(!is_held)
            break;
         m_held[held].sl=action.sl;
         m_held[held].tp=action.tp;
         return;
      case COPIER_ACTION_DELETE:
         if(is_order)
            ArrayRemove(m_orders,order,1);
         return;
      case COPIER_ACTION_OPEN:
         ArrayResize(m_held,held+1);
         m_ticket++;
         m_held[held].ticket=m_ticket;
         m_held[held].id=action.id;
         m_held[held].symbol=action.symbol;
         m_held[held].is_buy=action.is_buy;
         m_held[held].volume=action.volume;
         m_held[held].sl=action.sl;
         m_held[held].tp=action.tp;
         m_held[held].is_settling=false;
         break;
      case COPIER_ACTION_PLACE:
         ArrayResize(m_orders,order+1);
         m_ticket++;
         m_orders[order].ticket=m_ticket;
         m_orders[order].id=action.id;
         m_orders[order].symbol=action.symbol;
         m_orders[order].is_buy=action.is_buy;
         m_orders[order].kind=action.kind;
         m_orders[order].volume=action.volume;
         is_order=true;
         if(!CCopierPending::IsPlaceable(action.is_buy,action.kind,action.price,m_symbols[SymbolOf(action.symbol)]))
            Fault(StringFormat("places at %.2f",action.price));
         break;
      case COPIER_ACTION_MODIFY:
         break;
     }
   if(is_order && (action.action==COPIER_ACTION_PLACE || action.action==COPIER_ACTION_MODIFY))
     {
      m_orders[order].price=action.price;
      m_orders[order].limit_price=action.limit_price;
      m_orders[order].sl=action.sl;
      m_orders[order].tp=action.tp;
      m_orders[order].expiry=action.expiry;
      m_orders[order].expires_msc=action.expires_msc;
     }
   if(is_answered && (action.action==COPIER_ACTION_OPEN || action.action==COPIER_ACTION_PLACE))
      m_plan.Opened(action,action.volume);
  }
#endif
//+------------------------------------------------------------------+

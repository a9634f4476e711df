//+------------------------------------------------------------------+
//|                                                   CopierDesk.mqh |
//|                              Copyright 2026, the mt5mqtt authors |
//+------------------------------------------------------------------+
//--- A master and a follower by hand: what each has are lists, and
//--- what the plan says of them is put in words.
#ifndef MT5MQTT_TEST_COPIER_DESK_MQH
#define MT5MQTT_TEST_COPIER_DESK_MQH
#include <Mt5Mqtt\Copier\Plan.mqh>
#include <Mt5Mqtt\Internal\Check.mqh>
CMqttCheck      ExtCheck;
CopierState     ExtState;
CopierRules     ExtRules;
CopierFunds     ExtOwn;
CopierSymbol    ExtSymbols[];
CopierHeld      ExtHeld[];
CopierHeldOrder ExtOrders[];
long            ExtNow;
ulong           ExtTicket;
//+------------------------------------------------------------------+
//| One symbol, nothing held, pending orders are copied              |
//+------------------------------------------------------------------+
void Begin(void)
  {
   ArrayResize(ExtSymbols,1);
   ExtSymbols[0].name="EURUSD";
   ExtSymbols[0].contract_size=100000;
   ExtSymbols[0].point=0.001;
   ExtSymbols[0].tick_size=0.001;
   ExtSymbols[0].tick_value=1;
   ExtSymbols[0].volume_min=0.1;
   ExtSymbols[0].volume_max=5;
   ExtSymbols[0].volume_step=0.1;
   ExtSymbols[0].bid=1.1;
   ExtSymbols[0].ask=1.102;
   ExtSymbols[0].stops_level=0;
   ExtSymbols[0].freeze_level=0;
   ExtSymbols[0].expires_day=true;
   ExtSymbols[0].expires_time=true;
   ExtSymbols[0].expires_date=true;
   ExtSymbols[0].never_expires=true;
   ExtSymbols[0].is_uncertain=false;
   ArrayResize(ExtHeld,0);
   ArrayResize(ExtOrders,0);
   ArrayResize(ExtState.positions,0);
   ArrayResize(ExtState.orders,0);
   ExtState.server="S";
   ExtState.login=1;
   ExtState.has_orders=true;
   ExtState.is_netting=false;
   ExtState.funds.balance=1000;
   ExtState.funds.equity=1000;
   ExtState.funds.free_margin=1000;
   ExtOwn=ExtState.funds;
   ExtNow=1000000;
   ExtTicket=100;
   CCopierRules::Defaults(ExtRules);
   ExtRules.pendings=true;
  }
//+------------------------------------------------------------------+
//| The master places an order                                       |
//+------------------------------------------------------------------+
void Places(const long id,const bool is_buy,const ENUM_COPIER_KIND kind,const double volume,const double price)
  {
   int i=ArraySize(ExtState.orders);
   ArrayResize(ExtState.orders,i+1);
   ExtState.orders[i].id=id;
   ExtState.orders[i].symbol="EURUSD";
   ExtState.orders[i].is_buy=is_buy;
   ExtState.orders[i].kind=kind;
   ExtState.orders[i].volume=volume;
   ExtState.orders[i].price=price;
   ExtState.orders[i].limit_price=0;
   ExtState.orders[i].sl=0;
   ExtState.orders[i].tp=0;
   ExtState.orders[i].expiry=COPIER_EXPIRY_NONE;
   ExtState.orders[i].expires_msc=0;
   ExtState.orders[i].magic=0;
   ExtState.orders[i].comment="";
   ExtState.orders[i].contract_size=100000;
   ExtState.orders[i].via="";
  }
//+------------------------------------------------------------------+
//| The master's order 1 fills, in part or whole                     |
//+------------------------------------------------------------------+
void Fills(const double volume)
  {
   int i=CCopierState::Find(ExtState,1);
   int order=CCopierState::FindOrder(ExtState,1);
   if(i<0)
     {
      i=ArraySize(ExtState.positions);
      ArrayResize(ExtState.positions,i+1);
      CCopierPending::AsPosition(ExtState.orders[order],ExtState.positions[i]);
      ExtState.positions[i].volume=0;
      ExtState.positions[i].time_msc=ExtNow;
     }
   ExtState.positions[i].volume=NormalizeDouble(ExtState.positions[i].volume+volume,8);
   ExtState.orders[order].volume=NormalizeDouble(ExtState.orders[order].volume-volume,8);
   if(ExtState.orders[order].volume<=0)
      ArrayRemove(ExtState.orders,order,1);
  }
//+------------------------------------------------------------------+
//| What is to be done, in words                                     |
//+------------------------------------------------------------------+
string Made(CCopierPlan &plan)
  {
   string text="";
   plan.Make(ExtState,ExtRules,ExtSymbols,ExtOwn,ExtHeld,ExtOrders,ExtNow,false);
   for(int i=0; i<plan.Actions(); i++)
     {
      CopierAction action;
      plan.Action(i,action);
      string volume=DoubleToString(action.volume,1);
      string prices=" "+DoubleToString(action.price,3)+(action.limit_price>0 ? " then "+DoubleToString(action.limit_price,3) : "")+
                    (action.sl>0 ? " sl "+DoubleToString(action.sl,3) : "")+(action.tp>0 ? " tp "+DoubleToString(action.tp,3) : "");
      switch(action.action)
        {
         case COPIER_ACTION_OPEN:
            text+="open "+volume+";";
            break;
         case COPIER_ACTION_CLOSE:
            text+="close "+volume+";";
            break;
         case COPIER_ACTION_STOPS:
            text+="stops;";
            break;
         case COPIER_ACTION_DELETE:
            text+="delete "+volume+";";
            break;
         case COPIER_ACTION_MODIFY:
            text+="modify"+prices+";";
            break;
         case COPIER_ACTION_PLACE:
            text+=CCopierOrder::Name(action.is_buy,action.kind)+" "+volume+prices+";";
            break;
        }
     }
   return(text);
  }
//+------------------------------------------------------------------+
//| Carries all out                                                  |
//+------------------------------------------------------------------+
void Do(CCopierPlan &plan)
  {
   for(int i=0; i<plan.Actions(); i++)
     {
      CopierAction action;
      plan.Action(i,action);
      int held=0;
      int order=0;
      while(held<ArraySize(ExtHeld) && ExtHeld[held].ticket!=action.ticket)
         held++;
      while(order<ArraySize(ExtOrders) && ExtOrders[order].ticket!=action.ticket)
         order++;
      switch(action.action)
        {
         case COPIER_ACTION_OPEN:
            Hold(action.id,action.is_buy,action.volume);
            plan.Opened(action,action.volume);
            break;
         case COPIER_ACTION_CLOSE:
            ExtHeld[held].volume=NormalizeDouble(ExtHeld[held].volume-action.volume,8);
            if(ExtHeld[held].volume<=0)
               ArrayRemove(ExtHeld,held,1);
            break;
         case COPIER_ACTION_STOPS:
            ExtHeld[held].sl=action.sl;
            ExtHeld[held].tp=action.tp;
            break;
         case COPIER_ACTION_DELETE:
            ArrayRemove(ExtOrders,order,1);
            break;
         case COPIER_ACTION_PLACE:
            ArrayResize(ExtOrders,order+1);
            ExtTicket++;
            ExtOrders[order].ticket=ExtTicket;
            ExtOrders[order].id=action.id;
            ExtOrders[order].symbol=action.symbol;
            ExtOrders[order].is_buy=action.is_buy;
            ExtOrders[order].kind=action.kind;
            ExtOrders[order].volume=action.volume;
            Change(order,action);
            plan.Opened(action,action.volume);
            break;
         case COPIER_ACTION_MODIFY:
            Change(order,action);
            break;
        }
     }
  }
//+------------------------------------------------------------------+
//| What a modification may change                                   |
//+------------------------------------------------------------------+
void Change(const int order,const CopierAction &action)
  {
   ExtOrders[order].price=action.price;
   ExtOrders[order].limit_price=action.limit_price;
   ExtOrders[order].sl=action.sl;
   ExtOrders[order].tp=action.tp;
   ExtOrders[order].expiry=action.expiry;
   ExtOrders[order].expires_msc=action.expires_msc;
  }
//+------------------------------------------------------------------+
//| A copy is there                                                  |
//+------------------------------------------------------------------+
void Hold(const long id,const bool is_buy,const double volume)
  {
   int i=ArraySize(ExtHeld);
   ArrayResize(ExtHeld,i+1);
   ExtTicket++;
   ExtHeld[i].ticket=ExtTicket;
   ExtHeld[i].id=id;
   ExtHeld[i].symbol="EURUSD";
   ExtHeld[i].is_buy=is_buy;
   ExtHeld[i].volume=volume;
   ExtHeld[i].sl=0;
   ExtHeld[i].tp=0;
   ExtHeld[i].is_settling=false;
  }
//+------------------------------------------------------------------+
//| The follower's first order fills, in part or whole               |
//+------------------------------------------------------------------+
void FillsHere(const double volume)
  {
   int i=0;
   while(i<ArraySize(ExtHeld) && ExtHeld[i].id!=ExtOrders[0].id)
      i++;
   if(i==ArraySize(ExtHeld))
      Hold(ExtOrders[0].id,ExtOrders[0].is_buy,0);
   ExtHeld[i].volume=NormalizeDouble(ExtHeld[i].volume+volume,8);
   ExtHeld[i].sl=ExtOrders[0].sl;
   ExtHeld[i].tp=ExtOrders[0].tp;
   ExtOrders[0].volume=NormalizeDouble(ExtOrders[0].volume-volume,8);
   if(ExtOrders[0].volume<=0)
      ArrayRemove(ExtOrders,0,1);
  }
//+------------------------------------------------------------------+
//| A buy limit of 1.0 is placed on both sides                       |
//+------------------------------------------------------------------+
void BeginPlaced(CCopierPlan &plan)
  {
   Begin();
   plan.Clear();
   Places(1,true,COPIER_KIND_LIMIT,1.0,1.09);
   Made(plan);
   Do(plan);
  }
#endif
//+------------------------------------------------------------------+

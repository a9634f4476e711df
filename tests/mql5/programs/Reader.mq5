//+------------------------------------------------------------------+
//|                                                       Reader.mq5 |
//|                              Copyright 2026, the mt5mqtt authors |
//+------------------------------------------------------------------+
//--- Has a file open for reading, as long as it runs.
input string InpFile="";                     // File
void OnStart(void)
  {
   int file=FileOpen(InpFile,FILE_READ|FILE_BIN|FILE_SHARE_READ);
   Print(file!=INVALID_HANDLE ? "has it open" : "has it not");
   while(!IsStopped())
      Sleep(1);
   if(file!=INVALID_HANDLE)
      FileClose(file);
  }
//+------------------------------------------------------------------+

return await Lifeboat.EntryPoint.RunAsync(args);

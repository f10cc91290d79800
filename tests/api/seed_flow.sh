# 1. Criar tenant com regras de agendamento
curl -X POST http://localhost:8000/tenants/ -H "Content-Type: application/json" -d '{
  "name": "Academia Fit",
  "domain": "academia-fit.com",
  "logo_url": "https://exemplo.com/logo.png",
  "theme_primary_color": "#FF5722",
  "plan": "profissional",
  "settings": {
    "business_type": "fitness",
    "timezone": "America/Sao_Paulo",
    "working_hours_start": "06:00:00",
    "working_hours_end": "22:00:00",
    "booking_interval": 60,
    "advance_booking_days": 30,
    "cancellation_hours": 24,
    "custom_labels": {
      "resource_singular": "Sala",
      "resource_plural": "Salas",
      "booking_label": "Aula",
      "user_label": "Aluno"
    }
  }
}'
# Resposta: {"id": "d49eccff-6586-44cc-b723-719f78a6f9f9", ...}

# 2. Criar usuário
curl -X POST http://localhost:8000/users/ -H "Content-Type: application/json" -d '{
  "tenant_id": "d49eccff-6586-44cc-b723-719f78a6f9f9",
  "name": "João Silva",
  "email": "joao.silva@academiafit.com",
  "user_type": "user",
  "permissions": {"can_book": true}
}'
# Resposta: {"id": "6a899ad5-12bb-43ee-90ac-4d6f5091f6ae", ...}

# 3. Criar categoria de recurso
curl -X POST http://localhost:8000/categories/ -H "Content-Type: application/json" -d '{
  "tenant_id": "d49eccff-6586-44cc-b723-719f78a6f9f9",
  "name": "Salas de Aula",
  "description": "Espaços para aulas coletivas",
  "type": "fisico",
  "icon": "room",
  "color": "#4CAF50"
}'
# Resposta: {"id": "6a37c359-0684-4e73-b86a-69afe164c7c9", ...}

# 4. Criar recurso
curl -X POST http://localhost:8000/resources/ -H "Content-Type: application/json" -d '{
  "tenant_id": "d49eccff-6586-44cc-b723-719f78a6f9f9",
  "category_id": "6a37c359-0684-4e73-b86a-69afe164c7c9",
  "name": "Sala 1 - Spinning",
  "description": "Sala equipada para aulas de spinning",
  "capacity": 20,
  "location": "Andar 2"
}'
# Resposta: {"id": "d4a90dee-9261-44df-a362-e6c12db591e2", ...}

# 5. Criar reserva válida
curl -X POST http://localhost:8000/bookings/ -H "Content-Type: application/json" -d '{
  "tenant_id": "d49eccff-6586-44cc-b723-719f78a6f9f9",
  "resource_id": "d4a90dee-9261-44df-a362-e6c12db591e2",
  "user_id": "6a899ad5-12bb-43ee-90ac-4d6f5091f6ae",
  "client_id": "6a899ad5-12bb-43ee-90ac-4d6f5091f6ae",
  "start_time": "2025-12-05T14:00:00Z",
  "end_time": "2025-12-05T15:00:00Z",
  "notes": "Aula de Spinning - Iniciantes"
}'
# Resposta: {"id": "b6a2c6bc-5809-47ad-9aa7-6cf2adc35f42", "status": "pendente", ...}

# 6. Tentar criar reserva com conflito (retorna 409)
curl -X POST http://localhost:8000/bookings/ -H "Content-Type: application/json" -d '{
  "tenant_id": "d49eccff-6586-44cc-b723-719f78a6f9f9",
  "resource_id": "d4a90dee-9261-44df-a362-e6c12db591e2",
  "user_id": "6a899ad5-12bb-43ee-90ac-4d6f5091f6ae",
  "client_id": "6a899ad5-12bb-43ee-90ac-4d6f5091f6ae",
  "start_time": "2025-12-05T14:30:00Z",
  "end_time": "2025-12-05T15:30:00Z"
}'
# Resposta 409: {
#   "success": false,
#   "error": "conflict",
#   "message": "Recurso já possui reserva neste intervalo",
#   "conflicts": [{"booking_id": "b6a2c6bc-...", "start_time": "...", "end_time": "..."}]
# }

# 7. Listar reservas do tenant
curl "http://localhost:8000/bookings/?tenant_id=d49eccff-6586-44cc-b723-719f78a6f9f9"
# Resposta: [{"id": "...", "can_cancel": false, ...}]
